-- A company's sales. The numbers are invented.

CREATE TABLE regions (
  code TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  manager TEXT NOT NULL
);

CREATE TABLE sales (
  region TEXT NOT NULL REFERENCES regions (code),
  year INTEGER NOT NULL,
  revenue REAL NOT NULL,
  expenses REAL NOT NULL,
  growth_percent INTEGER NOT NULL,
  PRIMARY KEY (region, year)
);

INSERT INTO regions VALUES
  ('APAC', 'Asia and the Pacific', 'Mei Tanaka'),
  ('EMEA', 'Europe, the Middle East and Africa', 'Lukas Brandt'),
  ('AMERICAS', 'North and South America', 'Camila Torres');

INSERT INTO sales (region, year, revenue, expenses, growth_percent) VALUES
  ('APAC',     2023, 108696.09, 71200.0,  9),
  ('EMEA',     2023,  91204.4,  66150.0,  5),
  ('AMERICAS', 2023, 127868.85, 84300.0, 14),
  ('APAC',     2024, 125000.5,  78400.0, 15),
  ('EMEA',     2024,  98500.75, 69900.0,  8),
  ('AMERICAS', 2024, 156000.0,  97500.0, 22);
