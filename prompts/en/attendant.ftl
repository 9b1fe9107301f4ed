# The auto attendant, and transfers.

attendant-welcome = Hello, and thank you for calling.
attendant-welcome-business = Hello, and thank you for calling { $business }.
attendant-enter-extension = Please enter the extension of the person you would like to reach.
attendant-search = To search by name, press pound.
attendant-operator = For the operator, press zero.
attendant-no-operator = There is no operator here.
attendant-invalid-extension = I found nobody with that extension.
attendant-not-allowed = I can't connect you to that extension.
attendant-transferring = One moment, please. I am connecting you.
attendant-transferring-to = One moment, please. I am connecting you to { $name }.
attendant-transfer-failed = I am sorry, that call did not go through.
attendant-busy = That line is busy.
attendant-no-answer = Nobody answers there.
