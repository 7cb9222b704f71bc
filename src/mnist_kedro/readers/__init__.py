"""Read users' files in a child process, with one module per format; import nothing here."""
