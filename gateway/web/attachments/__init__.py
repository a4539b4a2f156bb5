"""The screens for attachments: the list, file pages, pictures and downloads."""
