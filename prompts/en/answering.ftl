# A call that nobody took: greeting, recording, the menus after it (fact sheet exchange-um 3.1).

answering-greeting = { $name } is not available right now. Please leave a message after the tone.
answering-greeting-unnamed = The person you are calling is not available right now. Please leave a message after the tone.
answering-record-after-tone = Please speak after the tone. When you are done, just hang up, or press pound for more choices.
answering-continue-after-tone = Go on after the tone.
answering-menu = To keep your message and hear more choices, press one. To listen to it, press two. To record it again, press three. To go on recording, press four. To throw it away, press star. To hear this again, press zero.
answering-send-menu = To send your message now, press pound, or just hang up. To mark it as urgent, press one. To mark it as private, press two. To go back, press star. To hear this again, press zero.
answering-urgent-on = Your message is marked as urgent.
answering-urgent-off = Your message is no longer marked as urgent.
answering-private-on = Your message is marked as private.
answering-private-off = Your message is no longer marked as private.
answering-sent = Your message has been sent.
answering-cancelled = Your message has been thrown away.
answering-nothing-heard = I did not hear anything.
answering-too-long = That is as long as a message can be.
answering-mailbox-full = This mailbox is full and can't take a message right now. Please try again later.
answering-not-possible = I am sorry, no message can be left here.
answering-rule = { $name } is not available right now.
answering-rule-key = For { $what }, press { $key }.
answering-rule-message = To leave a message, press pound, or stay on the line.
