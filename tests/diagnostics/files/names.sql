SELECT id
FROM books WHERE title = :title
