"""What happens in the background: a queue that only says “look now”, and a sweep each minute for what it missed."""
