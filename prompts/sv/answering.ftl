# A call that nobody took: greeting, recording, the menus after it (fact sheet exchange-um 3.1).

answering-greeting = { $name } kan inte svara just nu. Tala in ett meddelande efter tonen.
answering-greeting-unnamed = Personen som du ringer kan inte svara just nu. Tala in ett meddelande efter tonen.
answering-record-after-tone = Tala efter tonen. Lägg bara på när du är klar, eller tryck fyrkant för fler val.
answering-continue-after-tone = Fortsätt efter tonen.
answering-menu = Tryck ett för att behålla meddelandet och höra fler val. Tryck två för att lyssna på det. Tryck tre för att tala in det på nytt. Tryck fyra för att fortsätta tala. Tryck stjärna för att kasta det. Tryck noll för att höra det här igen.
answering-send-menu = Tryck fyrkant eller lägg bara på för att skicka meddelandet nu. Tryck ett för att märka det som brådskande. Tryck två för att märka det som privat. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
answering-urgent-on = Ditt meddelande är märkt som brådskande.
answering-urgent-off = Ditt meddelande är inte längre märkt som brådskande.
answering-private-on = Ditt meddelande är märkt som privat.
answering-private-off = Ditt meddelande är inte längre märkt som privat.
answering-sent = Ditt meddelande är skickat.
answering-cancelled = Ditt meddelande är kastat.
answering-nothing-heard = Jag hörde ingenting.
answering-too-long = Längre än så kan ett meddelande inte vara.
answering-mailbox-full = Den här brevlådan är full och kan inte ta emot meddelanden just nu. Försök gärna igen senare.
answering-not-possible = Det går tyvärr inte att lämna något meddelande här.
answering-rule = { $name } kan inte svara just nu.
answering-rule-key = För { $what }, tryck { $key }.
answering-rule-message = Tryck fyrkant eller vänta kvar för att lämna ett meddelande.
