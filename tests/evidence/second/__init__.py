"""Another verifier of evidence bundles, written from the pages of docs/protocol alone.

It imports nothing of the project, so that what the pages leave open shows here. Not judged:
`report.csv`, attachments, and an outside witness of gateways' journals (`journals`).
"""
