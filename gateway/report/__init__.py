"""The evidence report as a PDF: from the rows of a bundle, in a language, signed."""
