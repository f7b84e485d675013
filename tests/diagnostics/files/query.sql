SELECT id, title
FROM books
WHERE pirce < :limit
