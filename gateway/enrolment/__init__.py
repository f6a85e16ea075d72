"""Enrolment and renewal over HTTPS: who may become a terminal, and stay one."""
