"""Files of students that become cards.

`reading` turns bytes into rows or refuses the file as a whole; `columns` knows what headers mean;
`rows` checks one row and names every fault in it; `writing` brings the database in step with a
chunk of rows; `run` does all of it, chunk by chunk, and reports.
"""
