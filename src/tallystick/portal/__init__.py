"""The portal: short-lived tokens that let a browser see one team, behind which the database shows that team alone."""
