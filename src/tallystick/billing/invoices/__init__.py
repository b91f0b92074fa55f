"""Invoices and credit notes: documents made of closed statements, numbered without gaps, immutable once final.

models.py      what a document says (`InvoiceContent`) and where it stands (`Invoice`)
sources.py     reads what a document is made of: the closed statement, credits, the team, the rules
content.py     the one mapping from a closed statement to a document; pure
taxes.py       which tax a line bears, and what it comes to
crediting.py   credit notes: what takes an invoice back, in whole or in part
numbering.py   how a number is written, and what it is counted in
rendering/     a document as JSON, CSV, HTML and PDF, in the reader's language
service.py     draft → final → paid or void; routes.py the same over HTTP
"""
