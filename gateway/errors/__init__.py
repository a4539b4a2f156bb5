"""All errors of this program as one tree, each leaf with the one sentence that a person reads.

Nothing here may import anything of ours. A `sentence` is a gettext msgid and contains no host, credential or server
reply; `detail` is for the log. The single exception is `ServerAlert.alert`: RFC 9051 §7.1 requires a client to show it
to the person. Two errors are given their sentence where they are raised, and are defined there:
`folder_names.NameRefused` and `idempotency.OutcomeUnknown`.

    GatewayError
    ├── ConfigError                     the administrator's file; names key and line
    │   ├── ConfigChanged               it changed while it was being edited
    │   └── ConfigNotWritten            it, or its folder, cannot be written
    ├── CatalogueMissing                a language was not compiled; names the file
    ├── AdminBusy                       too many are signing in to the panel
    ├── SessionEnded                    no such session (any more): sign in again
    ├── AccountLocked                   locked by the administrator, who alone can unlock it
    ├── TooManyTries                    throttled; `seconds` until the next try
    ├── UnknownDomain                   no upstream for this address
    ├── BadRequest                      the request is invalid
    │   ├── NobodyToSendTo              a mail without recipients
    │   └── TooLong                     more than anybody types
    ├── NotFound                        no such page
    ├── CannotDo                        the message store has no such thing: folders, search …
    ├── StateError                      the gateway's own records cannot be read or written
    │   ├── StateFull                   no room on its disk
    │   ├── StateLocked                 another writer took too long
    │   └── StateReadOnly               the file may not be written
    ├── StoreError                      the message store
    │   ├── AuthenticationFailed        wrong address or password
    │   │   ├── CredentialExpired       responses such as [EXPIRED] and [PRIVACYREQUIRED]
    │   │   ├── AppPasswordNeeded       the provider wants a password made for mail programs
    │   │   └── PasswordsDoubtful       the provider is known to refuse passwords from most people
    │   ├── OAuthOnly                   the provider takes no passwords, only tokens from its own sign-in page
    │   ├── PasswordsNotTaken           no mechanism for passwords (LOGINDISABLED)
    │   ├── StoreUnreachable            no connection, timed out, closed
    │   │   ├── AnswerTooLong           a response beyond the limits
    │   │   ├── MaildropLocked          another program has the maildrop open (POP3)
    │   │   ├── SignInTooSoon           the server wants more time between two sign-ins (POP3)
    │   │   ├── StoreBusy               too many requests for this server; it was not contacted
    │   │   └── StoreDown               it did not respond to others; it was not contacted
    │   ├── StoreTLSError               certificate or TLS version refused
    │   ├── ServerAlert                 an alert from the server, which refused
    │   │   └── ServerClosed            the same, before anybody could sign in
    │   ├── StoreRefused                a tagged NO (permission, ...)
    │   │   ├── MailboxExists           a mailbox of this name exists
    │   │   ├── MailboxHasChildren      the mailbox has others below it
    │   │   ├── NotSupported            the server does not do what it announced
    │   │   ├── CannotSearch            letters that the server cannot search for
    │   │   │   └── CannotSearchAtAll   the server refuses every search
    │   │   ├── NotRemoved              copied, but also still in the old mailbox
    │   │   ├── NoMailbox               signed in, but connected to no mailbox (Microsoft)
    │   │   ├── NotAllowed              the person has no right to do that
    │   │   │   └── MailboxClosed       not even to open the mailbox
    │   │   └── OverQuota               no room for more
    │   ├── MailboxGone                 no such mailbox, or its UIDVALIDITY changed
    │   │   └── TargetGone              the mailbox that messages were to be moved to
    │   ├── MessageGone                 expunged in the meantime
    │   ├── PartlyDone                  `done`: which messages; `why` not the others
    │   └── UnsafeArgument              NUL, CR or LF in a command argument
    ├── SubmissionError                 SMTP submission; nothing was accepted unless noted
    │   ├── SubmissionUnreachable       no connection, timed out, or closed before the data
    │   │   ├── SubmissionBusy          too many requests for this server; nothing was sent
    │   │   └── SubmissionDown          it did not respond to others; nothing was sent
    │   ├── SubmissionDeferred          refused for now (4yz), or a limit of the server on what one may send
    │   ├── SubmissionTLSError
    │   ├── SubmissionAuthenticationFailed
    │   │   ├── SubmissionAppPasswordNeeded     see AppPasswordNeeded
    │   │   └── GatewayPasswordRefused          the administrator's own, for this upstream
    │   ├── SubmissionPasswordsNotTaken no mechanism for passwords is offered, or all were refused
    │   │   ├── SubmissionTLSNeeded     the server takes none without STARTTLS
    │   │   └── SubmissionOAuthOnly     only tokens from the provider's own sign-in page
    │   ├── GatewayRefused              this gateway's name or network address is refused
    │   ├── RecipientsRefused           no address was accepted; by reason: `refused`, `later`, `too_large`
    │   │   ├── RecipientsDeferred      none of them permanently (greylisting)
    │   │   ├── RecipientsTooLarge      the message is too large for their mailboxes
    │   │   └── AddressNotSendable      a non-ASCII address, and a server without SMTPUTF8
    │   ├── MessageTooLarge             `limit` octets, the server's (SIZE)
    │   │   └── TooLargeHere            `limit` octets, our own
    │   ├── TooManyRecipients           more than the hourly limit, our own
    │   ├── SentTooMuch                 our own hourly limit is reached; `until`: when there is room again
    │   ├── SenderRefused               by our rule the person may not send from this address
    │   │   └── SenderRefusedThere      by the server's rule: `sender`
    │   ├── MessageNotSendable          8-bit content that cannot be made 7-bit (no 8BITMIME)
    │   │   └── SignedNotSendable       the same, because that would break its signature
    │   ├── SubmissionRefused           5yz for another reason
    │   │   └── ContentRefused          because of what is in the message
    │   └── SubmissionUncertain         the connection broke after the data: accepted or not, unknown
    └── OutboundError                   our request to another web server
        ├── OutboundRefused             an address that must not be reached, or requests are disabled; nothing was sent
        ├── OutboundUnreachable         no connection, or an unsafe one; nothing was sent
        └── OutboundUncertain           sent, but no valid response
"""

# Whoever raises or catches one need not know which of these modules has it.
from gateway.errors.gateway_errors import *  # noqa: F403
from gateway.errors.outbound_errors import *  # noqa: F403
from gateway.errors.store_errors import *  # noqa: F403
from gateway.errors.submission_errors import *  # noqa: F403
