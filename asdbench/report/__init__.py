"""What people look at: tables, figures, one sentence of conclusion."""
