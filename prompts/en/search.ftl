# Searching for people by keypad (fact sheet exchange-um 4.5).

search-last-first = Spell the name on the keypad, last name first, then press pound.
search-first-last = Spell the name on the keypad, first name first, then press pound.
search-alias = Spell the first part of the mail address on the keypad, then press pound.
search-nobody = I found nobody by that name.
search-too-many = That fits many people. Please go on with more of the name.
search-choice = For { $name }, press { $key }.
search-choice-detail = For { $name }, { $detail }, press { $key }.
search-again = To search again, press star.
search-call-or-message = { $name }. To call, press one. To leave a message, press two. To go back, press star.
