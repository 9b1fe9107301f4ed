# Searching for people by keypad (fact sheet exchange-um 4.5).

search-last-first = Stava namnet på knapparna, efternamnet först, och tryck sedan fyrkant.
search-first-last = Stava namnet på knapparna, förnamnet först, och tryck sedan fyrkant.
search-alias = Stava första delen av e-postadressen på knapparna och tryck sedan fyrkant.
search-nobody = Jag hittar ingen med det namnet.
search-too-many = Det passar på många. Fortsätt med mer av namnet.
search-choice = För { $name }, tryck { $key }.
search-choice-detail = För { $name }, { $detail }, tryck { $key }.
search-again = Tryck stjärna för att söka igen.
search-call-or-message = { $name }. Tryck ett för att ringa. Tryck två för att lämna ett meddelande. Tryck stjärna för att gå tillbaka.
