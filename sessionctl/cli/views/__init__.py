"""Answers as people read them: reports, tables, lines of time, bars."""
