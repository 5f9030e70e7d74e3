"""What a person uploads: pictures, checked and made small; documents, as their words."""
