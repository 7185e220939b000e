"""Workbooks of scores (sổ chấm điểm) for communes and agencies: made here, filled in Excel, read back."""

from documents.score_book_reading import read_book
from documents.score_book_rows import (
    BookKind,
    BookRefused,
    BookStamp,
    CellProblem,
    GivenMark,
    GroupRow,
    PeopleVotes,
    WrongBook,
)
from documents.score_book_writing import write_book

__all__ = [
    "BookKind",
    "BookRefused",
    "BookStamp",
    "CellProblem",
    "GivenMark",
    "GroupRow",
    "PeopleVotes",
    "WrongBook",
    "read_book",
    "write_book",
]
