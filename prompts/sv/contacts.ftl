# Personal contacts by phone (fact sheet exchange-um 4.5).

contact-spell = Stava namnet på knapparna för att hitta någon av dina kontakter, och tryck sedan fyrkant.
contact-directory = Tryck noll noll för att söka i katalogen.
contact-menu = Tryck ett för att höra mer. Tryck två för att ringa. Tryck tre för att skicka ett meddelande. Tryck fyra för att hitta någon annan. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
contact-call-mobile = Tryck ett för mobilen.
contact-call-office = Tryck två för arbetet.
contact-call-home = Tryck tre för hemmet.
contact-mobile = Mobil: { $digits }.
contact-office = Arbetet: { $digits }.
contact-home = Hemma: { $digits }.
contact-company = Företag: { $company }.
contact-no-details = Det finns inget mer än namnet.
contact-no-mailbox = Det finns ingen brevlåda här att lämna ett meddelande i.
