package sql

import "strings"

// masked stands for a secret.
const masked = "******"

// secretWords are parts of option names whose values are secret.
var secretWords = [...]string{"password", "secret", "token", "sasl.jaas.config", "credential", "api-key", "apikey", "private-key", "access-key", "fs.azure.account.key", "passphrase", "ssl.key", "keystore.key", "authorization"}

// Mask returns the value of an option, or stars if its name says it is a secret.
// Addresses lose the password they may carry.
func Mask(key, value string) string {
	k := strings.ToLower(key)
	for _, w := range secretWords {
		if strings.Contains(k, w) && value != "" {
			return masked
		}
	}
	return maskAddress(value)
}

// maskAddress hides the password of scheme://user:password@host.
func maskAddress(v string) string {
	var b strings.Builder
	for {
		i := strings.Index(v, "://")
		if i < 0 {
			b.WriteString(v)
			return b.String()
		}
		i += len("://")
		end := strings.IndexAny(v[i:], "/;, ?#")
		if end < 0 {
			end = len(v) - i
		}
		authority := v[i : i+end]
		b.WriteString(v[:i])
		if at := strings.LastIndexByte(authority, '@'); at >= 0 {
			user, _, hasPassword := strings.Cut(authority[:at], ":")
			if hasPassword {
				user += ":" + masked
			}
			authority = user + authority[at:]
		}
		b.WriteString(authority)
		v = v[i+end:]
	}
}
