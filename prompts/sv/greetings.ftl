# Greetings, the name, and what is set up first (fact sheet exchange-um 4.1, 4.7).

greetings-menu = Tryck ett för din hälsning. Tryck två för frånvarohälsningen. Tryck tre för ditt namn. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
greetings-one = Tryck ett för att tala in den. Tryck två för att lyssna på den. Tryck sju för att ta bort den. Tryck stjärna för att gå tillbaka. Tryck noll för att höra det här igen.
greetings-choose = Tryck tre för att välja om de som ringer hör den eller standardhälsningen.
greetings-none = Den är inte intalad.
greetings-own = De som ringer hör din egen hälsning.
greetings-standard = De som ringer hör standardhälsningen.
greetings-removed = Den är borttagen.
greetings-kept = Den är sparad.
greetings-speak = Tala efter tonen och tryck sedan fyrkant.
greetings-speak-name = Säg ditt namn efter tonen och tryck sedan fyrkant.
greetings-keep = Tryck ett för att spara den. Tryck två för att lyssna på den. Tryck tre för att tala in den igen. Tryck stjärna för att kasta den.
greetings-set-up = Välkommen. Innan du börjar finns det några saker att ställa in.
greetings-set-up-greeting = De som ringer hör en standardhälsning med ditt namn. Tryck ett för att tala in en egen. Tryck fyrkant för att låta det vara så.
greetings-set-up-done = Nu är allt klart.
