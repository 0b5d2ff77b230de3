export function recordCommands() {}
