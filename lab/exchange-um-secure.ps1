# The UM server of the secure lab, after lab/exchange-um.ps1: the guide's 5.2.4 refers to Microsoft's documentation, where the
# security of a trunk is the dial plan's.

# Secured is TLS and SRTP; SIPSecured would be TLS with media in clear.
Set-UMDialPlan -Identity 'Integration_MX-ONE' -VoIPSecurity Secured

# Exchange has the port set by hand.
Set-UMIPGateway -Identity 'MX-ONE' -Port 5061
