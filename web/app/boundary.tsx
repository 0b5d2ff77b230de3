/** Keeps a component's crash to itself: says what broke, and offers to try it again. */
import { Component, type ReactNode } from "react";
import { Button } from "#web/ui/button.tsx";
import { Empty } from "#web/ui/parts.tsx";

export class Boundary extends Component<{ what: string; children: ReactNode }, { message: string | null }> {
  override state: { message: string | null } = { message: null };

  static getDerivedStateFromError(error: unknown): { message: string } {
    return { message: error instanceof Error ? error.message : String(error) };
  }

  override render(): ReactNode {
    const { message } = this.state;
    if (message === null) return this.props.children;
    return (
      <Empty icon="warning" title={`${this.props.what} broke`}>
        <p>This is a mistake in Terrarium, not in your file. Nothing is lost.</p>
        <code>{message}</code>
        <Button onClick={() => this.setState({ message: null })}>Try again</Button>
      </Empty>
    );
  }
}
