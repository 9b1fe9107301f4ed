# Somebody found in the directory, in voice access (fact sheet exchange-um 4.5).

person-menu = To hear the extension, press one. To call, press two. To send a message, press three. To find somebody else, press four. To go back, press star. To hear this again, press zero.
