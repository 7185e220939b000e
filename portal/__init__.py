"""Where people, and Zalo, act. Knows no flow: both meet in the database."""
