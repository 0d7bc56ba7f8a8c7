"""Reading: folders, web pages and LlamaIndex readers listed fast; files of every format turned into text.

formats     which file name belongs to which format, and who reads it: the one table
folder files web llama_index    the four loaders
read        bytes and a name -> Document, with every parser's failure made one clear line
"""

READER_VERSION = 2
"""Raised when the same bytes would now give another text, so that documents are read again."""
