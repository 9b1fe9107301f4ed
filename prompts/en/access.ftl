# Dialling in: welcome, extension, PIN, counts (fact sheet exchange-um 4.1).

access-welcome = Welcome to Earcon.
    .spoken = Welcome to Ear con.
access-hello = Hello, { $name }.
access-enter-extension = To reach your mailbox, enter your extension, then press pound.
access-contact-somebody = To reach somebody by name or extension, press pound.
access-enter-pin = Please enter your PIN, then press pound.
    .spoken = Please enter your pin, then press pound.
access-enter-pin-or-star = Please enter your PIN, then press pound. If this is not your mailbox, press star.
    .spoken = Please enter your pin, then press pound. If this is not your mailbox, press star.
access-wrong-pin = That is not the right PIN.
    .spoken = That is not the right pin.
access-unknown-extension = I found no mailbox with that extension.
access-try-again = Please try again.
access-too-many-tries = That was one wrong try too many. Please call again later.
access-locked = This mailbox is locked. Please ask your administrator to unlock it.
access-not-enabled = Your extension has no mailbox here.
access-counts-new = { $count ->
    [0] You have no new messages.
    [one] You have one new message.
   *[other] You have { $count } new messages.
}
access-counts-saved = { $count ->
    [0] There are no saved messages.
    [one] There is one saved message.
   *[other] There are { $count } saved messages.
}
access-main-menu = To hear your messages, press one.
access-goodbye = Thank you for calling. Goodbye.
access-mailbox-unreachable = Your messages can't be reached at the moment. Please call again in a little while.
access-pin-expired = It is time to choose a new PIN.
    .spoken = It is time to choose a new pin.
access-new-pin = Enter the new PIN, then press pound.
    .spoken = Enter the new pin, then press pound.
access-confirm-pin = Enter it once more, then press pound.
access-pin-differs = The two were not the same.
access-pin-too-short = { $count ->
    [one] It must have at least one digit.
   *[other] It must have at least { $count } digits.
}
access-pin-too-simple = That one is too easy to guess.
access-pin-used-before = You have used that one before.
access-pin-changed = Your new PIN is set.
    .spoken = Your new pin is set.
access-pin-expires = { $count ->
    [0] Your PIN expires today.
    [one] Your PIN expires in one day.
   *[other] Your PIN expires in { $count } days.
}
access-pin-not-changed = The PIN stays as it is.
    .spoken = The pin stays as it is.
access-oof-on = Callers hear your out-of-office greeting.
access-oof-off = Callers hear your usual greeting again.
access-main-menu-mail = For your mail, press two.
access-main-menu-calendar = For your calendar, press three.
access-main-menu-contacts = To find one of your contacts, press four.
access-main-menu-directory = To find somebody, press four.
access-main-menu-compose = To send a message, press five.
access-main-menu-options = For your own settings, press six.
access-main-menu-oof = To have callers hear your usual greeting again, press seven.
access-main-menu-end = To hear this again, press zero. When you are done, just hang up.
