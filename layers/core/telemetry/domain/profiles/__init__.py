"""Who uses a product: its developers, and the companies they work for.

A *developer* is a user as users are counted, else a device; known by its fingerprint. A closed day's use of a product
is kept as *rows*, one for each developer of the day, and one for each company whose uses nobody did by name. All else
(profiles, lists, trends) is made of rows.
"""
