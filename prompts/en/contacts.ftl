# Personal contacts by phone (fact sheet exchange-um 4.5).

contact-spell = To find one of your contacts, spell the name on the keypad, then press pound.
contact-directory = To search the directory, press zero zero.
contact-menu = For details, press one. To call, press two. To send a message, press three. To find somebody else, press four. To go back, press star. To hear this again, press zero.
contact-call-mobile = For the mobile, press one.
contact-call-office = For the office, press two.
contact-call-home = For home, press three.
contact-mobile = Mobile: { $digits }.
contact-office = Office: { $digits }.
contact-home = Home: { $digits }.
contact-company = Company: { $company }.
contact-no-details = There is nothing more than the name.
contact-no-mailbox = There is no mailbox here that a message could be left in.
