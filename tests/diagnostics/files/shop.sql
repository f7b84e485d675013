CREATE TABLE books (id INTEGER PRIMARY KEY, title TEXT NOT NULL, author TEXT NOT NULL, price REAL NOT NULL);
INSERT INTO books VALUES (1, 'Dune', 'Frank Herbert', 9.5);
