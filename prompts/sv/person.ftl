# Somebody found in the directory, in voice access (fact sheet exchange-um 4.5).

person-menu = Tryck ett för att höra anknytningen. Tryck två för att ringa. Tryck tre för att skicka ett meddelande. Tryck fyra för att hitta någon annan. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
