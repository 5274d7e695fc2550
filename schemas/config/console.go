package config

// Console says who may look at the console and what they may do. Without
// people everybody may do everything, and it only listens on loopback.
type Console struct {
	URL    string   `yaml:"url"`    // what links in alerts begin with, like https://plumbline.example.com; its host is one of hosts
	Hosts  []string `yaml:"hosts"`  // names it is reached by, beside loopback and listen.console
	People []Person `yaml:"people"` // who may log in
	Proxy  *Proxy   `yaml:"proxy"`  // that has already asked who it is
}

// Person may log in to the console.
type Person struct {
	Name    string       `yaml:"name"`
	Token   Secret       `yaml:"token"`   // none: only through the proxy
	Role    string       `yaml:"role"`    // viewer, operator, admin
	Tenants List[string] `yaml:"tenants"` // whose rows they see; none: all
}

// Proxy names who asks in a header. From are the addresses it calls from:
// nobody else may be on them.
type Proxy struct {
	Header string   `yaml:"header"`
	From   []string `yaml:"from"` // 10.0.0.7 or 10.0.0.0/28
}
