CREATE TABLE books (id INTEGER PRIMARY KEY);
-- the second statement is at fault
INSERT INTO boks VALUES (1);
