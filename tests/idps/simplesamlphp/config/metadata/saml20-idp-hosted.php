<?php

/** The IdP itself. */

$settings = require dirname(__DIR__) . '/settings.php';

$metadata[$settings['entity_id']] = [
    'host' => '__DEFAULT__',
    'privatekey' => $settings['key_file'],
    'certificate' => $settings['certificate_file'],
    'auth' => 'users',
    'NameIDFormat' => $settings['name_id_format'],
    'authproc' => [
        3 => [
            'class' => 'saml:AttributeNameID',
            'attribute' => $settings['name_id_attribute'],
            'Format' => $settings['name_id_format'],
        ],
    ],
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:basic',
    'saml20.sign.response' => true,
    'saml20.sign.assertion' => true,
    'sign.logout' => true,
];
