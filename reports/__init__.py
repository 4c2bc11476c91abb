"""Reports: figures, tables and pages. Reads what the store holds, and changes nothing in it."""
