# Greetings, the name, and what is set up first (fact sheet exchange-um 4.1, 4.7).

greetings-menu = For your greeting, press one. For the out-of-office greeting, press two. For your name, press three. To go back, press star. To hear this again, press zero.
greetings-one = To record it, press one. To listen to it, press two. To remove it, press seven. To go back, press star. To hear this again, press zero.
greetings-choose = To have callers hear it, or the standard greeting, press three.
greetings-none = It is not recorded.
greetings-own = Callers hear your own greeting.
greetings-standard = Callers hear the standard greeting.
greetings-removed = It is removed.
greetings-kept = It is kept.
greetings-speak = Speak after the tone, then press pound.
greetings-speak-name = Say your name after the tone, then press pound.
greetings-keep = To keep it, press one. To listen to it, press two. To record it again, press three. To throw it away, press star.
greetings-set-up = Welcome. Before you begin, there are a few things to set up.
greetings-set-up-greeting = Callers hear a standard greeting with your name. To record one of your own, press one. To leave it so, press pound.
greetings-set-up-done = You are all set.
