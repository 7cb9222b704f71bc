"""Read users' files in a child process, one module for each format; imports nothing itself."""
