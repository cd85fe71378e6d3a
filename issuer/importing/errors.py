"""Why a file of students is refused as a whole.

    UnusableFile
    ├── EmptyFile, FileTooLarge, NotText, MixedEncodings
    └── WrongDelimiter, MissingColumn, DuplicateColumn, UnknownColumn, NoRows, BrokenQuotes

Messages name lines and columns, and never what a cell of a row holds.
"""

from issuer.errors import IssuerError


class UnusableFile(IssuerError):
    """The file of students cannot be read as a whole."""


class EmptyFile(UnusableFile):
    """The file has no content."""


class FileTooLarge(UnusableFile):
    """The file is larger than we read."""


class NotText(UnusableFile):
    """The file is not text, for example a spreadsheet or an archive."""


class MixedEncodings(UnusableFile):
    """Some lines are in UTF-8 and some in another encoding."""


class WrongDelimiter(UnusableFile):
    """The header is separated by neither comma nor semicolon."""


class MissingColumn(UnusableFile):
    """A column that every file needs is not there."""


class DuplicateColumn(UnusableFile):
    """Two columns of the header mean the same field."""


class UnknownColumn(UnusableFile):
    """The header names a column that means nothing to us."""


class NoRows(UnusableFile):
    """The file has a header and no student."""


class BrokenQuotes(UnusableFile):
    """A quoted field never ends, or a field is absurdly long."""
