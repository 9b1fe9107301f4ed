# A message of a user to others (fact sheet exchange-um 4.6).

compose-to = Your message goes to { $name }.
compose-to-many = { $count ->
    [one] Your message goes to one person.
   *[other] Your message goes to { $count } people.
}
compose-nobody = Your message goes to nobody yet.
compose-menu = To record it, press one. To add somebody, press two. To remove somebody, press three. To go back, press star. To hear this again, press zero.
compose-added = Added.
compose-already = That one is among them already.
compose-too-many = There is no room for more people.
compose-removed = { $name } is removed.
compose-comment = Say what you want to add after the tone, and press pound. To add nothing, press pound at once.
compose-group-empty = There is nobody in { $name }.
compose-not-allowed = You may not send messages to { $name }.
