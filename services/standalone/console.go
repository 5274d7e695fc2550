package standalone

import "context"

func (a *App) startConsole(context.Context) error { return nil }
