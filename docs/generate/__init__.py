"""Makes the pages of the documentation that tell what is registered: none of them is written by hand."""
