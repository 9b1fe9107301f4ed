# Calls that the server places: find-me, play on phone, recording by phone (fact sheet exchange-um 3.2, 3.7).

outcall-find-me = There is a call for you from { $caller }.
outcall-find-me-unknown = There is a call for you. The number was withheld.
outcall-find-me-menu = To take it, press one. To decline it, press two.
outcall-find-me-gone = The caller has hung up.
outcall-play-on-phone = Here is a message from your mailbox.
outcall-play-on-phone-menu = To hear it again, press one. When you are done, just hang up.
outcall-record = Please speak after the tone, then press pound.
outcall-recorded-menu = To listen to it, press one. To use it, press two. To record it again, press three. To leave everything as it was, press star.
outcall-saved = It is in use now.
outcall-not-saved = I am sorry, it could not be saved.
