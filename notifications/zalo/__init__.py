"""Zalo: official account, template messages (ZBS), groups, bot; one file each, one table of errors."""
