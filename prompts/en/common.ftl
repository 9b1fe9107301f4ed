# Heard in every menu.

common-invalid-key = That key does nothing here.
common-no-input = I did not hear a key.
common-still-there = Are you still there?
common-error = I am sorry, something went wrong. Please call again later.
common-goodbye = Goodbye.
common-too-many-failures = Let us leave it here for now. Goodbye.
common-busy = All lines are in use. Please call again in a little while.
common-extension = extension { $digits }
common-one-moment = One moment, please.
