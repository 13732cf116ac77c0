"""From the database to what reports and users take."""
