"""What browsers, machines and Stripe see."""
