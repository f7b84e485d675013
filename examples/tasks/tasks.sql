-- A to-do list. The days count from the day on which the list is made.

CREATE TABLE tasks (
  id INTEGER PRIMARY KEY,
  title TEXT NOT NULL,
  notes TEXT,
  project TEXT NOT NULL DEFAULT 'inbox',
  priority TEXT NOT NULL DEFAULT 'normal' CHECK (priority IN ('low', 'normal', 'high')),
  due TEXT NOT NULL,
  created TEXT NOT NULL,
  done TEXT
);

INSERT INTO tasks (title, notes, project, priority, due, created, done) VALUES
  ('Send the invoice to Hansen', 'Number 2024-118, three days of work', 'office', 'high', date('now', 'localtime', '-2 days'), date('now', 'localtime', '-9 days'), NULL),
  ('Water the tomatoes', NULL, 'garden', 'normal', date('now', 'localtime'), date('now', 'localtime', '-1 day'), NULL),
  ('Prepare the talk for Thursday', 'Slides are half done; the demo is missing', 'office', 'high', date('now', 'localtime'), date('now', 'localtime', '-6 days'), NULL),
  ('Call the dentist', NULL, 'home', 'low', date('now', 'localtime', '+3 days'), date('now', 'localtime', '-3 days'), NULL),
  ('Order new running shoes', 'Size 43', 'home', 'low', date('now', 'localtime', '+10 days'), date('now', 'localtime', '-2 days'), NULL),
  ('Renew the library card', NULL, 'home', 'normal', date('now', 'localtime', '-3 days'), date('now', 'localtime', '-12 days'), date('now', 'localtime', '-3 days')),
  ('Review the offer of the printers', 'Too expensive, asked for another', 'office', 'normal', date('now', 'localtime', '-1 day'), date('now', 'localtime', '-8 days'), date('now', 'localtime', '-1 day'));
