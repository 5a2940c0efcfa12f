import { Args, Mutation, Query, Resolver } from '@nestjs/graphql';
import { CurrentViewer, type Viewer } from '../auth/index.js';
import { NoticeContactInput, NoticeContactResult, NoticeContactType } from './contact.types.js';
import { Contacts, type Contact } from './contacts.js';
import { Notices } from './notices.js';

/** Where one is told things is changed with the wallet only: an API key that leaked must not turn warnings away. */
@Resolver()
export class ContactResolver {
  constructor(
    private readonly contacts: Contacts,
    private readonly notices: Notices,
  ) {}

  @Query(() => NoticeContactType)
  async noticeContact(@CurrentViewer() viewer: Viewer): Promise<NoticeContactType> {
    return said(await this.contacts.of(viewer.address), null);
  }

  @Mutation(() => NoticeContactResult, {
    description: 'Replaces both. A new mailbox is sent a code; nothing else goes there before it came back.',
  })
  async setNoticeContact(
    @CurrentViewer() viewer: Viewer,
    @Args('input') { webhookUrl, email }: NoticeContactInput,
  ): Promise<NoticeContactType> {
    const address = viewer.address;
    const change = { webhookUrl: webhookUrl ?? null, email: email ?? null };
    const { contact, code } = await this.contacts.change(address, change);
    if (code !== null && contact.email !== null) await this.notices.mailCode(address, contact.email, code);
    return said(contact, contact.webhookSecret);
  }

  @Mutation(() => NoticeContactResult)
  async confirmNoticeEmail(@CurrentViewer() viewer: Viewer, @Args('code') code: string): Promise<NoticeContactType> {
    return said(await this.contacts.confirm(viewer.address, code), null);
  }
}

const said = (contact: Contact, webhookSecret: string | null): NoticeContactType => ({
  __typename: 'NoticeContactType',
  webhookUrl: contact.webhookUrl,
  webhookSecret,
  email: contact.email,
  emailConfirmed: contact.emailConfirmed,
});
