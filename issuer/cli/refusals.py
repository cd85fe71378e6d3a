"""Why a command did not do what was asked, and its exit code.

0  done
1  refused: the rules or the present state forbid it
2  the command line is wrong
3  the settings, keys or database of the deployment cannot be used
4  a file was imported, but rows of it were left out
"""

OK = 0
REFUSED = 1
USAGE = 2
UNUSABLE = 3
ROWS_LEFT_OUT = 4


class Refused(Exception):
    """The rules of a command forbid it."""
