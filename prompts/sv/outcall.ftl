# Calls that the server places: find-me, play on phone, recording by phone (fact sheet exchange-um 3.2, 3.7).

outcall-find-me = Du har ett samtal från { $caller }.
outcall-find-me-unknown = Du har ett samtal från ett hemligt nummer.
outcall-find-me-menu = Tryck ett för att ta det. Tryck två för att avböja.
outcall-find-me-gone = Den som ringde har lagt på.
outcall-play-on-phone = Här är ett meddelande från din brevlåda.
outcall-play-on-phone-menu = Tryck ett för att höra det igen. Lägg på när du är klar.
outcall-record = Tala efter tonen, och tryck sedan fyrkant.
outcall-recorded-menu = Tryck ett för att lyssna på det. Tryck två för att använda det. Tryck tre för att tala in igen. Tryck stjärna för att låta allt vara som det var.
outcall-saved = Nu används det.
outcall-not-saved = Det kunde tyvärr inte sparas.
