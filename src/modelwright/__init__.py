"""A raw table goes in; an honestly evaluated, documented, safely packaged model comes out."""
