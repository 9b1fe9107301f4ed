# Mail by phone (fact sheet exchange-um 4.3), and what is said where its source does not answer.

mail-count = { $count ->
    [0] You have no unread mail.
    [one] You have one unread mail.
   *[other] You have { $count } unread mails.
}
mail-from = Mail from { $caller }.
mail-from-unknown = Mail from somebody unknown.
mail-subject = Subject: { $subject }.
mail-no-subject = Without a subject.
mail-urgent = It is urgent.
mail-invitation = It invites you to a meeting { $when }.
mail-empty = There is no text in it.
mail-unreadable = This can't be read out.
mail-menu = For the next mail, press pound. To delete this one, press seven. To answer it by voice, press eight. To keep it as unread, press nine. For more choices, press zero zero. To hear this again, press zero.
mail-menu-invitation = To accept, press four. To accept tentatively, press four four. To decline, press seven.
mail-menu-invited = For the next mail, press pound. To answer it by voice, press eight. To keep it as unread, press nine. For more choices, press zero zero. To hear this again, press zero.
mail-more = To hear the mail again, press one. For the mail before it, press one one. To call who sent it, press two. To find mail of somebody, press three.
mail-more-still = For when it came and from whom, press five. For another language, press five five. To send it on, press six. To mark it for later, press four four.
mail-more-conversation = To delete its whole conversation, press seven seven. To answer everybody, press eight eight. To hear no more of its conversation, press nine nine. For the next unread mail, press pound pound.
mail-end = End of mail.
mail-no-more = There is no more mail.
mail-no-previous = This is the first mail.
mail-none-from = There is no mail from { $name }.
mail-conversation-deleted = The conversation is deleted.
mail-conversation-hidden = You hear no more of this conversation in this call.
mail-no-reply = Mail can't be answered by voice here.
mail-in-english = Read in English.
mail-in-swedish = Read in Swedish.
mail-answer-sent = Your answer has been sent.
mail-forwarded = It has been sent on.
note-menu = To send it, press one. To listen to it, press two. To record it again, press three. To send nothing, press star.
source-unavailable = That can't be reached at the moment.
source-not-done = That could not be done.
